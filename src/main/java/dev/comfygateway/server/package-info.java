/**
 * Jetty as the gateway needs it, on both ports: requests are handed over from selectors
 * to other threads, a bounded number of each kind at a time, and every failure is
 * answered in the contract's schema. A caller who does not read holds no thread, and a
 * request that does not become complete holds its connection for a bounded time.
 */
@NullMarked
package dev.comfygateway.server;

import org.jspecify.annotations.NullMarked;
