/**
 * Stream of the queue, {@code GET /api/prompt/events}, as server-sent events.
 * <ul>
 * <li>A listener occupies no thread: Jetty writes without blocking.</li>
 * <li>A listener has at most one pending write and one waiting event. A newer event
 * replaces the waiting one.</li>
 * <li>An event is encoded once for all listeners. One thread sends the events and the
 * heartbeats.</li>
 * <li>While there are listeners, a refresh starts at the end of the answer's
 * freshness.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway.events;

import org.jspecify.annotations.NullMarked;
