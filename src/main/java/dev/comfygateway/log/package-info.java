/**
 * Logging that never blocks a thread, never prints the key, and does not log each
 * request.
 */
@NullMarked
package dev.comfygateway.log;

import org.jspecify.annotations.NullMarked;
