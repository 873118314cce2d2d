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

/** Fault of Redis, for which the replicas do not reach each other. */
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
	/** The user lacks a permission. */
	NOPERM,
	/** Memory is full. */
	OOM,
	/** Replica that takes no writes. */
	READONLY,
	/** Redis loads its data. */
	LOADING,
	/** Replica without its master. */
	MASTERDOWN,
	/** Cluster without a master for the key. */
	CLUSTERDOWN,
	/** Busy with a script. */
	BUSY,
	/** Redis cannot persist and takes no writes. */
	MISCONF,
	/** The key holds another type than a hash. */
	WRONGTYPE,
	/** Result that this version cannot read. */
	INVALID,
	/** Any other fault. */
	ERROR;

	/** Faults whose names are codes of Redis. */
	private static final Set<FleetFault> OF_REDIS = EnumSet.range(NOAUTH, WRONGTYPE);

	/**
	 * Faults that a new connection may end; after a failover, the old one can lead to a
	 * replica.
	 */
	private static final Set<FleetFault> OF_CONNECTION = EnumSet.of(UNREACHABLE, TIMEOUT, NOAUTH, WRONGPASS, READONLY);

	/** Redis 7.0 has no code for a missing permission within a script. */
	private static final String DENIED_IN_SCRIPT = "The user executing the script can't";

	/** Word in health, log and metrics. */
	String word() {
		return name().toLowerCase(Locale.ROOT);
	}

	boolean isOfConnection() {
		return OF_CONNECTION.contains(this);
	}

	/** Fault of an exception, without the text of Redis. */
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

	/** Fault of the code with which Redis begins an error. */
	private static FleetFault ofError(@Nullable String message) {
		if (message == null) {
			return ERROR;
		}
		if (message.contains(DENIED_IN_SCRIPT)) {
			return NOPERM;
		}
		String code = message.split(" ", 2)[0];
		return OF_REDIS.stream().filter(fault -> fault.name().equals(code)).findFirst().orElse(ERROR);
	}

}
