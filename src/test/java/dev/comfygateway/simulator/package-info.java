/**
 * Comfy Cloud in little: the one simulated upstream of the tests and of the program's
 * demonstration. It speaks from a bare socket, so that it can also do what no HTTP server
 * would, and from the JDK alone, so that it runs beside the gateway in a process of its
 * own.
 */
@NullMarked
package dev.comfygateway.simulator;

import org.jspecify.annotations.NullMarked;
