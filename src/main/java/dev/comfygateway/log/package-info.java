/**
 * Log as a service needs it whose callers and upstream are hostile: nobody waits for it
 * to be written, and no level prints the key.
 */
@NullMarked
package dev.comfygateway.log;

import org.jspecify.annotations.NullMarked;
