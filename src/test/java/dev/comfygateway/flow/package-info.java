/** Tests of the entire gateway in one JVM, in front of a simulated upstream. */
@NullMarked
package dev.comfygateway.flow;

import org.jspecify.annotations.NullMarked;
