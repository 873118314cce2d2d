package dev.comfygateway.fleet;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reason why replicas do not reach each other, in the words of Redis where it has some.
 */
enum FleetFault {

	/** No connection yet. */
	CONNECTING,
	/** No connection. */
	UNREACHABLE,
	/** No reply in time. */
	TIMEOUT,
	/** A password is needed. */
	NOAUTH,
	/** Wrong user or password. */
	WRONGPASS,
	/** The user may not do this. */
	NOPERM,
	/** Memory is full. */
	OOM,
	/** Replica that takes no writes. */
	READONLY,
	/** Redis reads its data at its start. */
	LOADING,
	/** Replica without its master. */
	MASTERDOWN,
	/** Cluster without a master for the key. */
	CLUSTERDOWN,
	/** Busy with a script. */
	BUSY,
	/** Redis cannot persist and takes no writes. */
	MISCONF,
	/** Something else than a hash is under the key. */
	WRONGTYPE,
	/** Result that this version cannot read. */
	INVALID,
	/** Anything else. */
	ERROR;

	/** Redis 7.0 has no code for what a script may not do. */
	private static final String DENIED_IN_SCRIPT = "The user executing the script can't";

	/** Word in health, log and metrics. */
	String word() {
		return name().toLowerCase(Locale.ROOT);
	}

	/** Whether a new connection may help. */
	boolean isOfConnection() {
		return switch (this) {
			// After a failover the old connection can lead to what is a replica now
			case UNREACHABLE, TIMEOUT, NOAUTH, WRONGPASS, READONLY -> true;
			case CONNECTING, NOPERM, OOM, LOADING, MASTERDOWN, CLUSTERDOWN, BUSY, MISCONF, WRONGTYPE, INVALID, ERROR ->
				false;
		};
	}

	/** What an exception means. No text of Redis is kept. */
	static FleetFault of(Throwable thrown) {
		FleetFault fault = ERROR;
		for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
			switch (cause) {
				case InvalidResultException ignored -> {
					return INVALID;
				}
				case RedisCommandTimeoutException ignored -> {
					return TIMEOUT;
				}
				case TimeoutException ignored -> {
					return TIMEOUT;
				}
				case RedisCommandExecutionException error -> {
					return ofError(error.getMessage());
				}
				case RedisException ignored -> fault = UNREACHABLE;
				case IOException ignored -> fault = UNREACHABLE;
				default -> {
				}
			}
		}
		return fault;
	}

	/** Redis begins an error with a code. */
	private static FleetFault ofError(@Nullable String message) {
		if (message != null && message.contains(DENIED_IN_SCRIPT)) {
			return NOPERM;
		}
		String code = message == null ? "" : message.split(" ", 2)[0];
		return switch (code) {
			case "NOAUTH" -> NOAUTH;
			case "WRONGPASS" -> WRONGPASS;
			case "NOPERM" -> NOPERM;
			case "OOM" -> OOM;
			case "READONLY" -> READONLY;
			case "LOADING" -> LOADING;
			case "MASTERDOWN" -> MASTERDOWN;
			case "CLUSTERDOWN" -> CLUSTERDOWN;
			case "BUSY" -> BUSY;
			case "MISCONF" -> MISCONF;
			case "WRONGTYPE" -> WRONGTYPE;
			default -> ERROR;
		};
	}

}
