package dev.comfygateway.tracing;

import dev.comfygateway.server.Endpoint;
import dev.comfygateway.server.Lane;
import io.micrometer.observation.Observation;
import io.micrometer.observation.transport.ReceiverContext;
import io.micrometer.observation.transport.SenderContext;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.exporter.SpanExportingPredicate;
import io.micrometer.tracing.handler.PropagatingReceiverTracingObservationHandler;
import io.micrometer.tracing.handler.PropagatingSenderTracingObservationHandler;
import io.micrometer.tracing.propagation.Propagator;
import java.util.List;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.micrometer.tracing.autoconfigure.MicrometerTracingAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/**
 * Configuration that changes Spring Boot's tracing. A span has the class of an error but
 * not its text, which can contain text of the upstream. Probes, management requests and
 * scheduled tasks are not exported.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty(TracingSwitch.ENABLED)
class TracingConfiguration {

	/**
	 * Exports requests that may wait for the upstream, and the upstream requests that
	 * they cause.
	 */
	@Bean
	SpanExportingPredicate promptSpansOnly(List<Endpoint> endpoints) {
		List<Endpoint> traced = endpoints.stream().filter(endpoint -> endpoint.lane() == Lane.WAITING).toList();
		return span -> {
			String path = span.getTags().get("uri");
			return path != null && traced.stream().anyMatch(endpoint -> endpoint.contains(path));
		};
	}

	@Bean
	@Order(MicrometerTracingAutoConfiguration.RECEIVER_TRACING_OBSERVATION_HANDLER_ORDER)
	PropagatingReceiverTracingObservationHandler<ReceiverContext<?>> receiverHandler(Tracer tracer,
			Propagator propagator) {
		return new PropagatingReceiverTracingObservationHandler<>(tracer, propagator) {
			@Override
			public void onError(ReceiverContext<?> context) {
				recordClass(context, getRequiredSpan(context));
			}
		};
	}

	@Bean
	@Order(MicrometerTracingAutoConfiguration.SENDER_TRACING_OBSERVATION_HANDLER_ORDER)
	PropagatingSenderTracingObservationHandler<SenderContext<?>> senderHandler(Tracer tracer, Propagator propagator) {
		return new PropagatingSenderTracingObservationHandler<>(tracer, propagator) {
			@Override
			public void onError(SenderContext<?> context) {
				recordClass(context, getRequiredSpan(context));
			}
		};
	}

	private static void recordClass(Observation.Context context, Span span) {
		Throwable error = context.getError();
		if (error != null) {
			span.error(new ErrorClass(error));
		}
	}

	/** Exception with the class name of an error, without its text and stack trace. */
	private static final class ErrorClass extends Exception {

		private static final long serialVersionUID = 1L;

		ErrorClass(Throwable error) {
			super(error.getClass().getName(), null, false, false);
		}

	}

}
