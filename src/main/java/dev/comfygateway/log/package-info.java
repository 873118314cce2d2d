/**
 * Log that never blocks a thread, never prints the key, and has no line for each request.
 */
@NullMarked
package dev.comfygateway.log;

import org.jspecify.annotations.NullMarked;
