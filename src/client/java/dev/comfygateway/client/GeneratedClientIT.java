package dev.comfygateway.client;

import dev.comfygateway.client.generated.ApiClient;
import dev.comfygateway.client.generated.ApiException;
import dev.comfygateway.client.generated.ApiResponse;
import dev.comfygateway.client.generated.ErrorResponse;
import dev.comfygateway.client.generated.PromptInfo;
import dev.comfygateway.client.generated.WorkflowApi;
import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.support.TestGateway;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** Tests of the client that OpenAPI Generator makes of the gateway's document. */
class GeneratedClientIT {

	private static TestGateway gateway;

	private ApiClient client;

	private WorkflowApi api;

	@BeforeAll
	static void start() {
		gateway = TestGateway.start();
	}

	@AfterAll
	static void stop() {
		gateway.close();
	}

	@BeforeEach
	void reset() {
		gateway.time().advance(Duration.ofDays(1));
		gateway.upstream().behave(Behaviour.NORMAL);
		gateway.upstream().queueRemaining(12);
		client = new ApiClient();
		client.updateBaseUri("http://localhost:" + gateway.port());
		api = new WorkflowApi(client);
	}

	@Test
	void getPromptInfoReturnsTheQueue() throws ApiException {
		PromptInfo answer = api.getPromptInfo(null);
		assertThat(answer.getExecInfo().getQueueRemaining()).isEqualTo(12);
	}

	@Test
	void getPromptInfoWithDirectiveSendsIt() throws ApiException {
		api.getPromptInfo(null);
		gateway.upstream().queueRemaining(11);
		gateway.time().advance(Duration.ofSeconds(1));
		assertThat(api.getPromptInfo(null).getExecInfo().getQueueRemaining()).isEqualTo(12);
		assertThat(api.getPromptInfo("no-cache").getExecInfo().getQueueRemaining()).isEqualTo(11);
	}

	@Test
	void headPromptInfoReturnsTheHeaders() throws ApiException {
		ApiResponse<Void> answer = api.headPromptInfoWithHttpInfo(null);
		assertThat(answer.getStatusCode()).isEqualTo(200);
		assertThat(answer.getHeaders()).containsKeys("etag", "cache-control", "cache-status");
	}

	@Test
	void getPromptInfoWhenKeyIsRefusedThrowsWithTheError() throws Exception {
		gateway.upstream().behave(Behaviour.REFUSE);
		assertFails(401, "UNAUTHORIZED", "received-status=401");
	}

	@Test
	void getPromptInfoWhenUpstreamIsUnreachableThrowsWithTheError() throws Exception {
		gateway.upstream().behave(Behaviour.CLOSE);
		assertFails(502, "UPSTREAM_UNREACHABLE", "error=connection_terminated");
	}

	/** A caller who sends a validator keeps the answer that it belongs to. */
	@Test
	void getPromptInfoWhenNotModifiedThrowsWithoutBody() throws ApiException {
		String etag = api.getPromptInfoWithHttpInfo(null).getHeaders().get("etag").getFirst();
		ApiException thrown = catchThrowableOfType(ApiException.class,
				() -> api.getPromptInfo(null, Map.of("If-None-Match", etag)));
		assertThat(thrown.getCode()).isEqualTo(304);
		assertThat(thrown.getResponseBody()).isEmpty();
	}

	private void assertFails(int status, String code, String proxyStatus) throws Exception {
		ApiException thrown = catchThrowableOfType(ApiException.class, () -> api.getPromptInfo(null));
		assertThat(thrown.getCode()).isEqualTo(status);
		ErrorResponse error = client.getObjectMapper().readValue(thrown.getResponseBody(), ErrorResponse.class);
		assertThat(error.getCode()).isEqualTo(code);
		assertThat(error.getMessage()).isNotBlank();
		assertThat(thrown.getResponseHeaders().firstValue("Proxy-Status")).hasValue("comfy-gateway; " + proxyStatus);
		assertThat(thrown.getResponseHeaders().firstValue("Retry-After")).isPresent();
	}

}
