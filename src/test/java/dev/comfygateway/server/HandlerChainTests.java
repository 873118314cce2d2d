package dev.comfygateway.server;

import dev.comfygateway.support.TestGateway;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HandlerChainTests {

	@Test
	void handlersStandInTheOrderOfTheChain() {
		try (TestGateway gateway = TestGateway.start("gateway.allowed-origins=*")) {
			assertThat(gateway.handlers()).containsSubsequence("HeadHandler", "CorsHandler", "FreshAnswers",
					"NoStoreHandler", "BodyDrainHandler", "MethodsHandler", "EventsHandler", "BulkheadHandler",
					"NegotiationHandler", "EmptyAnswerHandler", "SlowReaderHandler", "BufferedResponseHandler");
			assertThat(gateway.runsHandlersOnSelectors()).isTrue();
		}
	}

	@Test
	void handlersThatAreTurnedOffAreNotInTheChain() {
		try (TestGateway gateway = TestGateway
			.start("management.opentelemetry.tracing.export.otlp.endpoint=http://127.0.0.1:1")) {
			assertThat(gateway.handlers()).doesNotContain("CorsHandler", "FreshAnswers");
			assertThat(gateway.runsHandlersOnSelectors()).isTrue();
		}
	}

}
