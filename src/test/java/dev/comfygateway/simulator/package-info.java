/**
 * Simulator of Comfy Cloud, the upstream of the tests and of
 * {@code ./mvnw spring-boot:test-run}. It uses plain sockets to be able to violate HTTP,
 * and only the JDK to be able to run in a separate process.
 */
@NullMarked
package dev.comfygateway.simulator;

import org.jspecify.annotations.NullMarked;
