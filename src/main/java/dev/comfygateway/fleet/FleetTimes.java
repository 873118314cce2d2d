package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import java.time.Duration;

/**
 * Times of the fleet. Everything happens within the upstream's deadline, counted from the
 * claim: the holder's fetch ends first, then its lease. Another replica can then still
 * fetch for callers that wait.
 *
 * @param deadline longest time from a claim to a result ({@code comfy.deadline})
 * @param command longest time of one command ({@code spring.data.redis.timeout})
 * @param retention how long Redis keeps a result after the last sign of life
 */
record FleetTimes(Duration deadline, Duration command, Duration retention) {

	/** Longer than any cool-down. */
	private static final Duration MIN_RETENTION = Duration.ofMinutes(20);

	static FleetTimes of(Duration deadline, Duration command, GatewayProperties gateway) {
		return new FleetTimes(deadline, command,
				MIN_RETENTION.plus(gateway.freshFor())
					.plus(gateway.staleWhileRevalidate())
					.plus(gateway.staleIfError()));
	}

	/** Longest time of the holder's fetch. */
	Duration fetch(Duration sinceClaim) {
		return atLeastOneCommand(deadline.minus(command).minus(sinceClaim));
	}

	/** Length of the holder's lease. */
	Duration lease(Duration sinceClaim) {
		return fetch(sinceClaim).plus(command.dividedBy(2));
	}

	/** Longest time of the fetch of a replica that cannot reach the others. */
	Duration fetchAlone(Duration sinceClaim) {
		return atLeastOneCommand(deadline.minus(sinceClaim));
	}

	/** Longest wait for Redis where no caller waits. */
	Duration patience() {
		return deadline.minus(command.multipliedBy(2));
	}

	private Duration atLeastOneCommand(Duration time) {
		return time.compareTo(command) < 0 ? command : time;
	}

}
