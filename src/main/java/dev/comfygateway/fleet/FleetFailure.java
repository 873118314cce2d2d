package dev.comfygateway.fleet;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Failure of Redis, during which the replica does not share results. */
enum FleetFailure {

	/** No connection yet. */
	CONNECTING,
	/** No connection. */
	UNREACHABLE,
	/** No reply before the timeout. */
	TIMEOUT,
	/** A password is needed. */
	NOAUTH,
	/** Wrong user or password. */
	WRONGPASS,
	/** The user lacks a permission. */
	NOPERM,
	/** The memory is full. */
	OOM,
	/** The server is a replica that accepts no writes. */
	READONLY,
	/** Redis is loading its data. */
	LOADING,
	/** The server is a replica without a connection to its master. */
	MASTERDOWN,
	/** The cluster has no master for the key. */
	CLUSTERDOWN,
	/** Redis is busy with a script. */
	BUSY,
	/** Redis cannot persist its data and accepts no writes. */
	MISCONF,
	/** The value of the key is not a hash. */
	WRONGTYPE,
	/** The stored result is not readable by this version. */
	INVALID,
	/** Any other failure. */
	ERROR;

	/** Failures whose names are error codes of Redis. */
	private static final Set<FleetFailure> REDIS_ERRORS = EnumSet.range(NOAUTH, WRONGTYPE);

	/**
	 * Failures that a new connection may resolve. After a failover, the old connection
	 * can lead to a replica.
	 */
	private static final Set<FleetFailure> CONNECTION_FAILURES = EnumSet.of(UNREACHABLE, TIMEOUT, NOAUTH, WRONGPASS,
			READONLY);

	/** Redis 7.0 has no error code for a missing permission within a script. */
	private static final String DENIED_IN_SCRIPT = "The user executing the script can't";

	/** Returns the code in health, log and metrics. */
	String code() {
		return name().toLowerCase(Locale.ROOT);
	}

	boolean isOfConnection() {
		return CONNECTION_FAILURES.contains(this);
	}

	/** Returns the failure for an exception, without the text of Redis. */
	static FleetFailure of(Throwable thrown) {
		FleetFailure found = ERROR;
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
				case RedisException ignored -> found = UNREACHABLE;
				case IOException ignored -> found = UNREACHABLE;
				default -> {
				}
			}
		}
		return found;
	}

	/** Returns the failure for an error message of Redis, which starts with a code. */
	private static FleetFailure ofError(@Nullable String message) {
		if (message == null) {
			return ERROR;
		}
		if (message.contains(DENIED_IN_SCRIPT)) {
			return NOPERM;
		}
		String code = message.split(" ", 2)[0];
		return REDIS_ERRORS.stream().filter(failure -> failure.name().equals(code)).findFirst().orElse(ERROR);
	}

}
