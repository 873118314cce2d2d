package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import java.time.Duration;

/**
 * Times of the fleet.
 *
 * @param deadline longest time of a fetch ({@code comfy.deadline})
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

	/** Length of a lease: a fetch, and the publication of its result. */
	Duration lease() {
		return deadline.plus(command);
	}

	/** Longest wait for the end of another replica's lease. */
	Duration maxClaim() {
		return lease().plus(command);
	}

	/** Longest wait for Redis where no caller waits. */
	Duration patience() {
		return deadline.minus(command.multipliedBy(2));
	}

	/**
	 * Longest time of a probe of a Redis that is well: others must not take too long
	 * then.
	 */
	Duration maxProbe() {
		return command.multipliedBy(4).dividedBy(5);
	}

}
