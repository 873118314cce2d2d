package dev.comfygateway.cache;

import dev.comfygateway.upstream.PromptInfo;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import tools.jackson.databind.json.JsonMapper;

/**
 * Good answer as it was observed: the contract's value, rendered once for every caller.
 */
public final class Snapshot {

	private static final JsonMapper json = new JsonMapper();

	private final PromptInfo promptInfo;

	private final byte[] body;

	private final String etag;

	private final Duration ageOnArrival;

	private final boolean deprecated;

	private final long askedNanos;

	private final long arrivedNanos;

	private final Instant observedAt;

	private final long keyVersion;

	/**
	 * Creates a snapshot.
	 * @param age age that the upstream gave the answer
	 * @param deprecated whether the upstream announced the end of its API with it
	 * @param askedNanos begin of the fetch, on the cache's ticker
	 * @param arrivedNanos arrival of the answer, on the cache's ticker
	 * @param arrivedAt arrival of the answer, in wall-clock time
	 */
	public Snapshot(PromptInfo promptInfo, Duration age, boolean deprecated, long askedNanos, long arrivedNanos,
			Instant arrivedAt, long keyVersion) {
		this.promptInfo = promptInfo;
		this.ageOnArrival = age;
		this.deprecated = deprecated;
		this.body = json.writeValueAsBytes(promptInfo);
		this.etag = etagOf(body);
		this.askedNanos = askedNanos;
		this.arrivedNanos = arrivedNanos;
		this.observedAt = arrivedAt.minus(age);
		this.keyVersion = keyVersion;
	}

	private static String etagOf(byte[] body) {
		try {
			byte[] hash = MessageDigest.getInstance("SHA-256").digest(body);
			return '"' + HexFormat.of().formatHex(Arrays.copyOf(hash, 16)) + '"';
		}
		catch (NoSuchAlgorithmException e) {
			throw new IllegalStateException(e);
		}
	}

	/** The answer's value. */
	public PromptInfo promptInfo() {
		return promptInfo;
	}

	/**
	 * The answer as JSON in UTF-8. The array is shared and must not be modified.
	 */
	public byte[] body() {
		return body;
	}

	/**
	 * Strong entity tag, quotes included; a hash of the body, so equal on every replica.
	 */
	public String etag() {
		return etag;
	}

	/** Age that the upstream gave the answer; zero where it gave none. */
	public Duration ageOnArrival() {
		return ageOnArrival;
	}

	/** Whether the upstream announced the end of its API with the answer. */
	public boolean deprecated() {
		return deprecated;
	}

	/** Time of the fetch. */
	public Duration took() {
		return Duration.ofNanos(arrivedNanos - askedNanos);
	}

	/** Arrival in wall-clock time. */
	public Instant arrivedAt() {
		return observedAt.plus(ageOnArrival);
	}

	/** Time at which the queue was observed, in wall-clock time. */
	public Instant observedAt() {
		return observedAt;
	}

	/**
	 * Whether the queue was observed at this time or later. The observation is dated to
	 * the begin of the request, less the age that the upstream gave the answer.
	 * @param time time on the cache's ticker, in nanoseconds
	 */
	public boolean isObservedSince(long time) {
		return askedNanos - ageOnArrival.toNanos() - time >= 0;
	}

	/** Arrival on the cache's ticker. */
	long arrivedNanos() {
		return arrivedNanos;
	}

	/** Time since arrival in nanoseconds. It decides when the upstream is asked again. */
	public long sinceArrival(long now) {
		return Math.max(0, now - arrivedNanos);
	}

	/** Age in nanoseconds: the time since arrival, and the age on arrival. */
	long age(long now) {
		return sinceArrival(now) + ageOnArrival.toNanos();
	}

	long keyVersion() {
		return keyVersion;
	}

	@Override
	public String toString() {
		return new String(body, StandardCharsets.UTF_8) + " of " + observedAt;
	}

}
