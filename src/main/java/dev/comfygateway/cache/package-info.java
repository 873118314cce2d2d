/**
 * How long an answer lives. A fresh answer serves everybody. For a while after that it
 * still serves at once, while one refresh runs behind it; then callers wait for the
 * refresh together. When the refresh fails by a fault, an answer that is not too old
 * serves in its place; a refusal, of the key above all, is itself an answer and ends the
 * old one. After a failure the upstream is left alone for a while that doubles, so that
 * an outage there is not made worse from here.
 *
 * <p>
 * At most one request is under way, whoever asks and however many do, and it belongs to
 * nobody: a caller who leaves cancels nothing.
 */
@NullMarked
package dev.comfygateway.cache;

import org.jspecify.annotations.NullMarked;
