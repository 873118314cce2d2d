package dev.comfygateway.server;

import java.util.List;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mockito.Answers;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.mock;

@ExtendWith(OutputCaptureExtension.class)
class ErrorResponseHandlerTests {

	private final ErrorResponseHandler handler = new ErrorResponseHandler("comfy-gateway");

	@Test
	void logWhenBugsRepeatHasEachOnceWithoutMessage(CapturedOutput output) {
		for (int i = 0; i < 3; i++) {
			handle(new RuntimeException("wrapper", new IllegalStateException("text of caller " + i)), 500);
			handle(new IllegalArgumentException("text of caller " + i), 500);
		}
		assertThat(lines(output)).hasSize(2)
			.anyMatch(line -> line.contains("ERROR") && line.contains("java.lang.IllegalStateException at "))
			.anyMatch(line -> line.contains("java.lang.IllegalArgumentException at "))
			.noneMatch(line -> line.contains("caller"));
	}

	@Test
	void logWhenBugsDifferIsBounded(CapturedOutput output) {
		for (int i = 0; i < 200; i++) {
			RuntimeException unexpected = new IllegalStateException();
			unexpected
				.setStackTrace(new StackTraceElement[] { new StackTraceElement("Some", "method", "Some.java", i) });
			handle(unexpected, 500);
		}
		assertThat(lines(output)).hasSize(100);
	}

	@Test
	void logWhenRequestIsInvalidHasNoLine(CapturedOutput output) {
		handle(new HttpException.RuntimeException(400, "text of a caller"), 400);
		handle(new IllegalArgumentException("text of a caller"), 404);
		handle(null, 500);
		assertThat(lines(output)).isEmpty();
	}

	private void handle(@Nullable Throwable cause, int status) {
		Request request = mock(Request.class, Answers.RETURNS_DEEP_STUBS);
		given(request.getAttribute(ErrorHandler.ERROR_EXCEPTION)).willReturn(cause);
		Response response = mock(Response.class);
		given(response.getStatus()).willReturn(status);
		given(response.getHeaders()).willReturn(HttpFields.build());
		assertThat(handler.handle(request, response, Callback.NOOP)).isTrue();
	}

	private static List<String> lines(CapturedOutput output) {
		return output.getAll().lines().filter(line -> line.contains("failed with an unexpected exception")).toList();
	}

}
