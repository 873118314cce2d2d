/**
 * Fleet of replicas with the same key, of which one at a time fetches for all. Redis has
 * one hash for them, and one channel for announcements.
 * <ul>
 * <li>A replica whose answer is too old claims the next fetch ({@code FleetClaims}). The
 * script {@code claim.lua} returns the shared result if that serves, or grants a lease to
 * one replica.</li>
 * <li>The holder of the lease fetches, and publishes its result by {@code publish.lua}
 * ({@code RedisLease}). A holder whose lease is over publishes nothing.</li>
 * <li>The others read the result when it is announced ({@code FleetAnnouncements}). An
 * announcement is a hint: waiting claims also run again by time, and one of them takes
 * over when the lease ends.</li>
 * <li>Where Redis fails, each replica fetches by itself. {@code FleetRecovery} connects
 * and probes until it works again.</li>
 * </ul>
 *
 * <p>
 * Ages are those of Redis's clock, since the clocks of replicas may differ. No thread of
 * a caller waits for Redis.
 */
@NullMarked
package dev.comfygateway.fleet;

import org.jspecify.annotations.NullMarked;
