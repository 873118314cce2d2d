/**
 * Fleet of replicas with the same API key. One replica at a time fetches for all of them.
 * Redis has one hash and one channel for announcements per fleet.
 * <ul>
 * <li>A replica whose answer is too old claims the next fetch ({@code FleetClaims}). The
 * script {@code claim.lua} returns the shared result if it is valid for the claim, or
 * grants a lease to one replica.</li>
 * <li>The holder of the lease fetches, and publishes its result with {@code publish.lua}
 * ({@code RedisLease}). After the end of its lease it cannot publish.</li>
 * <li>The others read the result when it is announced ({@code FleetAnnouncements}). An
 * announcement can be lost: waiting claims also run again after a delay, and one of them
 * obtains the lease when it has ended.</li>
 * <li>If Redis fails, each replica fetches independently. {@code FleetRecovery} connects
 * and probes until Redis works again.</li>
 * </ul>
 *
 * <p>
 * Ages are computed from Redis's clock, since the clocks of replicas may differ. No
 * caller's thread waits for Redis.
 */
@NullMarked
package dev.comfygateway.fleet;

import org.jspecify.annotations.NullMarked;
