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
	 * Maximum time of a cool-down with its jitter. A longer one in Redis indicates that
	 * its clock was changed.
	 */
	static final Duration MAX_COOLDOWN = Duration.ofMinutes(20);

	static FleetTimes of(Duration deadline, Duration command, GatewayProperties gateway) {
		return new FleetTimes(deadline, command,
				MAX_COOLDOWN.plus(gateway.freshFor())
					.plus(gateway.staleWhileRevalidate())
					.plus(gateway.staleIfError()));
	}

	/** Returns the length of a lease: a fetch and the publication of its result. */
	Duration lease() {
		return deadline.plus(command);
	}

	/** Returns the maximum wait for the end of another replica's lease. */
	Duration maxClaim() {
		return lease().plus(command);
	}

	/** Returns the maximum wait of a background claim for Redis. */
	Duration maxBackgroundWait() {
		return deadline.minus(command.multipliedBy(2));
	}

	/** Returns the maximum time of a claim in all cases. */
	Duration maxPendingClaim() {
		return maxBackgroundWait().plus(maxClaim()).plus(command);
	}

	/**
	 * Returns the maximum time of a successful probe, so that later commands have a
	 * margin before their timeout.
	 */
	Duration maxProbe() {
		return command.multipliedBy(4).dividedBy(5);
	}

}
