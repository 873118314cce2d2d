/** Tests of the gateway in a separate process: start, shutdown and output. */
@NullMarked
package dev.comfygateway.process;

import org.jspecify.annotations.NullMarked;
