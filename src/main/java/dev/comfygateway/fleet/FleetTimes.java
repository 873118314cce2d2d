package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import java.time.Duration;

/**
 * Times of the fleet.
 *
 * @param deadline maximum time of a fetch ({@code comfy.deadline})
 * @param command maximum time of one command ({@code spring.data.redis.timeout})
 * @param retention time for which Redis keeps a result after the last write
 */
record FleetTimes(Duration deadline, Duration command, Duration retention) {

	/**
	 * Longer than any cool-down with its jitter, and shorter than a step of a wrong
	 * clock.
	 */
	static final Duration MAX_COOLDOWN = Duration.ofMinutes(20);

	static FleetTimes of(Duration deadline, Duration command, GatewayProperties gateway) {
		return new FleetTimes(deadline, command,
				MAX_COOLDOWN.plus(gateway.freshFor())
					.plus(gateway.staleWhileRevalidate())
					.plus(gateway.staleIfError()));
	}

	/** Length of a lease: a fetch, and the publication of its result. */
	Duration lease() {
		return deadline.plus(command);
	}

	/** Maximum wait for the end of another replica's lease. */
	Duration maxClaim() {
		return lease().plus(command);
	}

	/** Maximum wait of a background claim for Redis. */
	Duration maxBackgroundWait() {
		return deadline.minus(command.multipliedBy(2));
	}

	/** Maximum time of a claim, whatever happens. */
	Duration maxPendingClaim() {
		return maxBackgroundWait().plus(maxClaim()).plus(command);
	}

	/** Maximum time of a successful probe, so that commands after it have a margin. */
	Duration maxProbe() {
		return command.multipliedBy(4).dividedBy(5);
	}

}
