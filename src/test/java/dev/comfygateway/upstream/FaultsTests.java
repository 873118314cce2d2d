package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.buffer.DataBufferLimitException;

class FaultsTests {

	@ParameterizedTest
	@MethodSource
	void beforeAnswerWhenWrappedFindsTheCause(Throwable cause, Reason reason) {
		assertThat(Faults.beforeAnswer(new IllegalStateException(new IOException(cause)))).isEqualTo(reason);
	}

	static Stream<Arguments> beforeAnswerWhenWrappedFindsTheCause() {
		return Stream.of(Arguments.of(new HttpConnectTimeoutException("x"), Reason.CONNECTION_TIMEOUT),
				Arguments.of(new ConnectException().initCause(new UnresolvedAddressException()), Reason.DNS_ERROR),
				Arguments.of(new UnknownHostException("x"), Reason.DNS_ERROR),
				Arguments.of(new SSLHandshakeException("x").initCause(new CertificateExpiredException()),
						Reason.TLS_CERTIFICATE_ERROR),
				Arguments.of(new SSLHandshakeException("x").initCause(new CertPathValidatorException()),
						Reason.TLS_CERTIFICATE_ERROR),
				Arguments.of(new SSLException("x"), Reason.TLS_PROTOCOL_ERROR),
				Arguments.of(new ConnectException("x"), Reason.CONNECTION_REFUSED),
				Arguments.of(new ProtocolException("x"), Reason.PROTOCOL_ERROR),
				Arguments.of(new NumberFormatException("x"), Reason.PROTOCOL_ERROR),
				Arguments.of(new IOException("parsing HTTP/1.1 header, receiving [A]", new EOFException()),
						Reason.RESPONSE_INCOMPLETE),
				Arguments.of(new EOFException(), Reason.CONNECTION_TERMINATED),
				Arguments.of(new SocketException("Connection reset"), Reason.CONNECTION_TERMINATED));
	}

	@Test
	void inAnswerWhenTooLongReturnsInvalidResponse() {
		assertThat(Faults.inAnswer(new DataBufferLimitException("x"))).isEqualTo(Reason.INVALID_RESPONSE);
	}

	@Test
	void inAnswerWhenChunksAreMalformedReturnsProtocolError() {
		assertThat(Faults.inAnswer(new IOException(new ProtocolException("x")))).isEqualTo(Reason.PROTOCOL_ERROR);
	}

	@Test
	void inAnswerWhenConnectionEndsReturnsResponseIncomplete() {
		assertThat(Faults.inAnswer(new IOException("x"))).isEqualTo(Reason.RESPONSE_INCOMPLETE);
	}

}
