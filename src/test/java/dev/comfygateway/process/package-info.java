/** Tests of the gateway in a process of its own: start, end and output. */
@NullMarked
package dev.comfygateway.process;

import org.jspecify.annotations.NullMarked;
