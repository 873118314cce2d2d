/**
 * Stream of the queue, {@code GET /api/prompt/events}, as server-sent events.
 * <ul>
 * <li>A listener holds no thread: Jetty writes without blocking.</li>
 * <li>One write of a listener is pending at a time. The newest event replaces the one
 * that waits behind it.</li>
 * <li>An event is encoded once for all. One thread sends, and one timer makes all
 * heartbeats.</li>
 * <li>While somebody listens, the answer is refreshed when it is not fresh any more.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway.events;

import org.jspecify.annotations.NullMarked;
