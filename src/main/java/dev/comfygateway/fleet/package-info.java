/**
 * Fleet of replicas with the same key: one of them at a time fetches for all. They agree
 * through one hash in Redis, and tell each other by its publish and subscribe.
 * <ul>
 * <li>A replica whose answer is too old claims the next fetch. The script
 * {@code claim.lua} returns the shared result where that serves, or grants a lease to one
 * replica.</li>
 * <li>The holder of the lease fetches, and publishes its result by {@code publish.lua}. A
 * holder whose lease is over publishes nothing.</li>
 * <li>The others read the result when it is announced. An announcement is a hint: they
 * also look by themselves, and one of them takes over when the lease ends.</li>
 * <li>Where Redis fails, each replica fetches by itself. One probe at a time finds out
 * when it works again.</li>
 * </ul>
 *
 * <p>
 * Ages are those of Redis's clock, since the clocks of replicas may differ. No thread of
 * a caller waits for Redis.
 */
@NullMarked
package dev.comfygateway.fleet;

import org.jspecify.annotations.NullMarked;
