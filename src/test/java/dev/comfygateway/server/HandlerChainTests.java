package dev.comfygateway.server;

import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

import static org.assertj.core.api.Assertions.assertThat;

class HandlerChainTests {

	@Test
	void handlersAreInTheOrderOfTheChain() {
		try (TestGateway gateway = TestGateway.start("gateway.allowed-origins=*")) {
			assertThat(gateway.handlers()).doesNotContain("Http2StreamHandler")
				.containsSubsequence("HeadHandler", "CorsHandler", "PromptAccelerator", "DefaultCacheControlHandler",
						"BodyDrainHandler", "MethodsHandler", "EventsHandler", "BulkheadHandler", "NegotiationHandler",
						"EmptyResponseHandler", "SlowReaderHandler", "BufferedResponseHandler");
			assertThat(gateway.runsHandlersOnSelectors()).isTrue();
		}
	}

	@Test
	void http2StreamHandlerWhenHttp2IsEnabledIsFirst() {
		try (TestGateway gateway = TestGateway.start("server.http2.enabled=true")) {
			assertThat(gateway.handlers()).containsSubsequence("Http2StreamHandler", "HeadHandler",
					"PromptAccelerator");
			assertThat(gateway.runsHandlersOnSelectors()).isTrue();
		}
	}

	@Test
	void http2ByDefaultIsRejected() throws IOException {
		try (TestGateway gateway = TestGateway.start()) {
			Response response = RawConnection.exchange(gateway.port(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
			assertThat(response.status()).isEqualTo(505);
			GatewayErrors.assertError(response, "HTTP_VERSION_NOT_SUPPORTED");
		}
	}

	@Test
	void handlersWhenDisabledAreNotInTheChain() {
		try (TestGateway gateway = TestGateway
			.start("management.opentelemetry.tracing.export.otlp.endpoint=http://127.0.0.1:1")) {
			assertThat(gateway.handlers()).doesNotContain("CorsHandler", "PromptAccelerator");
			assertThat(gateway.runsHandlersOnSelectors()).isTrue();
		}
	}

	/**
	 * A path without an endpoint would use the few threads for requests that never wait.
	 */
	@Test
	void controllerPathsHaveEndpointsAndAreDocumented() throws IOException {
		try (TestGateway gateway = TestGateway.start()) {
			List<Endpoint> endpoints = beans(gateway, Endpoint.class).toList();
			List<String> paths = beans(gateway, RequestMappingHandlerMapping.class)
				.flatMap(mapping -> mapping.getHandlerMethods().entrySet().stream())
				.filter(mapping -> mapping.getValue().getBeanType().getName().startsWith("dev.comfygateway."))
				.flatMap(mapping -> mapping.getKey().getDirectPaths().stream())
				.toList();
			String document = RawConnection.get(gateway.port(), "/v3/api-docs").body();
			assertThat(paths).hasSizeGreaterThan(2).allSatisfy(path -> {
				assertThat(endpoints).anyMatch(endpoint -> endpoint.contains(path));
				if (path.startsWith("/api/")) {
					assertThat(document).contains('"' + path + '"');
				}
			});
		}
	}

	private static <T> Stream<T> beans(TestGateway gateway, Class<T> type) {
		return gateway.singletons().stream().filter(type::isInstance).map(type::cast);
	}

}
