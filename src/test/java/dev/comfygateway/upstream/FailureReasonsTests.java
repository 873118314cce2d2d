package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.upstream.FailureReasons.Progress;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.buffer.DataBufferLimitException;

class FailureReasonsTests {

	@ParameterizedTest
	@MethodSource
	void reasonWhenWrappedFindsTheCause(Throwable cause, Progress progress, Reason reason) {
		assertThat(FailureReasons.reason(new IllegalStateException(new RuntimeException(cause)), progress))
			.isEqualTo(reason);
	}

	static Stream<Arguments> reasonWhenWrappedFindsTheCause() {
		return Stream.of(
				Arguments.of(new SocketTimeoutException("x"), Progress.NOT_CONNECTED, Reason.CONNECTION_TIMEOUT),
				Arguments.of(new TimeoutException("x"), Progress.NOT_CONNECTED, Reason.CONNECTION_TIMEOUT),
				Arguments.of(new ConnectException().initCause(new UnresolvedAddressException()), Progress.NOT_CONNECTED,
						Reason.DNS_ERROR),
				Arguments.of(new UnknownHostException("x"), Progress.NOT_CONNECTED, Reason.DNS_ERROR),
				Arguments.of(new ConnectException("x"), Progress.NOT_CONNECTED, Reason.CONNECTION_REFUSED),
				Arguments.of(new NoRouteToHostException("x"), Progress.NOT_CONNECTED, Reason.CONNECTION_REFUSED),
				Arguments.of(new SSLHandshakeException("x").initCause(new CertificateExpiredException()),
						Progress.NOT_CONNECTED, Reason.TLS_CERTIFICATE_ERROR),
				Arguments.of(new SSLHandshakeException("x").initCause(new CertPathValidatorException()),
						Progress.NO_RESPONSE, Reason.TLS_CERTIFICATE_ERROR),
				Arguments.of(new SSLException("x"), Progress.NO_RESPONSE, Reason.TLS_PROTOCOL_ERROR),
				Arguments.of(new SSLException("x", new SocketException("x")), Progress.NO_RESPONSE,
						Reason.CONNECTION_TERMINATED),
				Arguments.of(new SSLHandshakeException("x"), Progress.NO_TLS, Reason.CONNECTION_TERMINATED),
				Arguments.of(new TimeoutException("x"), Progress.NO_TLS, Reason.RESPONSE_TIMEOUT),
				Arguments.of(new SSLException("x"), Progress.RESPONSE_STARTED, Reason.RESPONSE_INCOMPLETE),
				Arguments.of(new TimeoutException("x"), Progress.NO_RESPONSE, Reason.RESPONSE_TIMEOUT),
				Arguments.of(new TimeoutException("x"), Progress.RESPONSE_STARTED, Reason.RESPONSE_TIMEOUT),
				Arguments.of(new EOFException(), Progress.NO_RESPONSE, Reason.CONNECTION_TERMINATED),
				Arguments.of(new SocketException("Connection reset"), Progress.NO_RESPONSE,
						Reason.CONNECTION_TERMINATED),
				Arguments.of(new ClosedChannelException(), Progress.NO_RESPONSE, Reason.CONNECTION_TERMINATED),
				Arguments.of(new EOFException(), Progress.RESPONSE_CUT_OFF, Reason.RESPONSE_INCOMPLETE),
				Arguments.of(new SocketException("x"), Progress.RESPONSE_STARTED, Reason.RESPONSE_INCOMPLETE),
				Arguments.of(new EOFException(), Progress.RESPONSE_STARTED, Reason.PROTOCOL_ERROR),
				Arguments.of(new ProtocolException("x"), Progress.RESPONSE_STARTED, Reason.PROTOCOL_ERROR),
				Arguments.of(new NumberFormatException("x"), Progress.RESPONSE_STARTED, Reason.PROTOCOL_ERROR));
	}

	@Test
	void reasonWhenBodyIsTooLongReturnsInvalidResponse() {
		assertThat(FailureReasons.reason(new DataBufferLimitException("x"), Progress.RESPONSE_STARTED))
			.isEqualTo(Reason.INVALID_RESPONSE);
	}

	@Test
	void reasonWhenChunksAreMalformedReturnsProtocolError() {
		assertThat(FailureReasons.reason(new IOException(new ProtocolException("x")), Progress.RESPONSE_STARTED))
			.isEqualTo(Reason.PROTOCOL_ERROR);
	}

	@Test
	void reasonWhenConnectionEndsReturnsResponseIncomplete() {
		assertThat(FailureReasons.reason(new EOFException("x"), Progress.RESPONSE_CUT_OFF))
			.isEqualTo(Reason.RESPONSE_INCOMPLETE);
	}

}
