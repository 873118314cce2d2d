/** Tests of the gateway as a process of its own: its start, its end and its output. */
@NullMarked
package dev.comfygateway.process;

import org.jspecify.annotations.NullMarked;
