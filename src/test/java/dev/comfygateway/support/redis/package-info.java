/**
 * Fixtures with a real Redis: in containers, or as processes if there is no container
 * engine or {@code redis.process} is {@code true}.
 */
@NullMarked
package dev.comfygateway.support.redis;

import org.jspecify.annotations.NullMarked;
