/**
 * Comfy Cloud in little: the one simulated upstream of the tests and of the program's
 * demonstration. It speaks from a bare socket, so that it can also do what no HTTP server
 * would.
 */
@NullMarked
package dev.comfygateway.simulator;

import org.jspecify.annotations.NullMarked;
