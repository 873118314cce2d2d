/**
 * Simulator of Comfy Cloud, the upstream of the tests and of
 * {@code ./mvnw spring-boot:test-run}. It uses plain sockets, so that it can violate
 * HTTP. It uses the JDK alone, so that it can run in a process of its own.
 */
@NullMarked
package dev.comfygateway.simulator;

import org.jspecify.annotations.NullMarked;
