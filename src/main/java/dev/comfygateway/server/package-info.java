/**
 * Jetty as the gateway needs it, on both ports: requests are handed over from selectors
 * to virtual threads, a bounded number of each kind at a time, and every failure is
 * answered in the contract's schema. No caller can take a thread, a permit or a
 * connection from another by what it sends or by not reading.
 */
@NullMarked
package dev.comfygateway.server;

import org.jspecify.annotations.NullMarked;
