package dev.comfygateway.flow;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests with HTTP clients that handle status 401 themselves. They must not ask for
 * credentials, and must return the body of the error.
 */
@RunningGateway
class RefusedKeyTests {

	private final URI address;

	private final SimulatedComfyCloud upstream;

	RefusedKeyTests(@LocalServerPort int port, @Autowired SimulatedComfyCloud upstream) {
		this.address = URI.create("http://127.0.0.1:%s/api/prompt".formatted(port));
		this.upstream = upstream;
	}

	@BeforeEach
	void refuseKey() {
		upstream.behave(Behaviour.REFUSE);
	}

	@Test
	void errorWhenClientIsOfJdkIsReturnedWithoutCredentials() throws IOException, InterruptedException {
		try (java.net.http.HttpClient client = java.net.http.HttpClient.newBuilder().authenticator(new Authenticator() {
			@Override
			protected PasswordAuthentication getPasswordAuthentication() {
				throw new IllegalStateException("The client requested credentials");
			}
		}).build()) {
			HttpResponse<String> answer = client.send(HttpRequest.newBuilder(address).build(),
					HttpResponse.BodyHandlers.ofString());
			assertThat(answer.statusCode()).isEqualTo(401);
			assertThat(answer.body()).contains("\"code\":");
		}
	}

	@Test
	void errorWhenClientIsOfJettyIsReturned() throws Exception {
		HttpClient client = new HttpClient();
		client.start();
		try {
			ContentResponse answer = client.GET(address);
			assertThat(answer.getStatus()).isEqualTo(401);
			assertThat(answer.getContentAsString()).contains("\"code\":");
		}
		finally {
			client.stop();
		}
	}

}
