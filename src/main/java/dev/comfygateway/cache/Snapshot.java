package dev.comfygateway.cache;

import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.PromptInfo;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Good answer of the upstream. The cache stores it, the fleet shares it, and callers get
 * its content. Times in nanoseconds are those of the cache's ticker.
 *
 * @param content content of the answer
 * @param ageOnArrival the upstream's {@code Age}; zero if it sent none
 * @param deprecation announced end of the upstream's API; null if none is announced
 * @param requestedNanos start of the fetch
 * @param arrivedNanos arrival of the answer
 * @param arrivedAt arrival of the answer, in wall-clock time
 * @param keyVersion version of the key that the request was sent with
 * @param shared whether another replica fetched it
 */
public record Snapshot(Content content, Duration ageOnArrival, @Nullable Deprecation deprecation, long requestedNanos,
		long arrivedNanos, Instant arrivedAt, long keyVersion, boolean shared) implements FetchResult {

	/** Creates an answer that this replica fetched. */
	public Snapshot(PromptInfo promptInfo, Duration ageOnArrival, @Nullable Deprecation deprecation,
			long requestedNanos, long arrivedNanos, Instant arrivedAt, long keyVersion) {
		this(Content.of(promptInfo), ageOnArrival, deprecation, requestedNanos, arrivedNanos, arrivedAt, keyVersion,
				false);
	}

	/** Returns a copy that is marked as fetched by another replica. */
	Snapshot asShared() {
		return new Snapshot(content, ageOnArrival, deprecation, requestedNanos, arrivedNanos, arrivedAt, keyVersion,
				true);
	}

	/**
	 * Content of an answer, rendered once for all callers.
	 *
	 * @param body JSON in UTF-8; the array is shared and must not be modified
	 * @param etag strong entity tag in quotes; a hash of the body, and therefore equal on
	 * every replica
	 */
	public record Content(PromptInfo promptInfo, byte[] body, String etag) {

		private static final JsonMapper json = new JsonMapper();

		static Content of(PromptInfo promptInfo) {
			byte[] body = json.writeValueAsBytes(promptInfo);
			try {
				byte[] hash = MessageDigest.getInstance("SHA-256").digest(body);
				return new Content(promptInfo, body, '"' + HexFormat.of().formatHex(Arrays.copyOf(hash, 16)) + '"');
			}
			catch (NoSuchAlgorithmException e) {
				throw new IllegalStateException(e);
			}
		}

	}

	public PromptInfo promptInfo() {
		return content.promptInfo;
	}

	public byte[] body() {
		return content.body;
	}

	public String etag() {
		return content.etag;
	}

	@Override
	public long atNanos() {
		return arrivedNanos;
	}

	/** Returns the wall-clock time at which the queue was observed. */
	public Instant observedAt() {
		return arrivedAt.minus(ageOnArrival);
	}

	/**
	 * Returns whether the queue was observed at or after a time. The time of the
	 * observation is the start of the fetch minus the upstream's {@code Age}.
	 * @param time time on the cache's ticker, in nanoseconds
	 */
	public boolean isObservedSince(long time) {
		return requestedNanos - ageOnArrival.toNanos() - time >= 0;
	}

	/** Returns the time since arrival in nanoseconds. */
	public long sinceArrival(long now) {
		return Math.max(0, now - arrivedNanos);
	}

	/** Returns the age in nanoseconds: the time since arrival plus the age on arrival. */
	long age(long now) {
		return sinceArrival(now) + ageOnArrival.toNanos();
	}

	@Override
	public String toString() {
		return new String(content.body, StandardCharsets.UTF_8) + " of " + observedAt();
	}

}
