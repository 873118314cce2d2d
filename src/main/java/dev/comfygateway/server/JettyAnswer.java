package dev.comfygateway.server;

import java.nio.ByteBuffer;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.springframework.http.ResponseEntity;

/**
 * Answer of Spring, as Jetty writes it without blocking.
 *
 * @param fields fields without {@code Content-Length}, which Jetty adds to a last write
 */
public record JettyAnswer(int status, List<HttpField> fields, ByteBuffer body) {

	public static JettyAnswer of(ResponseEntity<byte[]> answer) {
		byte[] body = answer.getBody();
		return of(answer, body == null ? BufferUtil.EMPTY_BUFFER : ByteBuffer.wrap(body));
	}

	/**
	 * Answer that is written often. Its body is a direct buffer, since each write copies
	 * a heap buffer to a direct one.
	 */
	public static JettyAnswer ofReused(ResponseEntity<byte[]> answer) {
		byte[] body = answer.getBody();
		return of(answer,
				body == null ? BufferUtil.EMPTY_BUFFER : ByteBuffer.allocateDirect(body.length).put(body).flip());
	}

	private static JettyAnswer of(ResponseEntity<byte[]> answer, ByteBuffer body) {
		List<HttpField> fields = answer.getHeaders()
			.headerSet()
			.stream()
			.filter(field -> !HttpHeader.CONTENT_LENGTH.is(field.getKey()))
			.map(field -> encoded(field.getKey(), String.join(", ", field.getValue())))
			.toList();
		return new JettyAnswer(answer.getStatusCode().value(), fields, body);
	}

	private static HttpField encoded(String name, String value) {
		return new PreEncodedHttpField(name, value);
	}

	/** Writes the answer, in place of fields of the same names. */
	public void write(Response response, Callback callback) {
		response.setStatus(status);
		for (HttpField field : fields) {
			response.getHeaders().put(field);
		}
		response.write(hasLength(status), body.slice(), callback);
	}

	/**
	 * Whether an answer may have a length (RFC 9110 section 8.6). Jetty adds one to a
	 * last write; one that may have none is not written as the last.
	 */
	public static boolean hasLength(int status) {
		return status != HttpStatus.NO_CONTENT_204 && status != HttpStatus.NOT_MODIFIED_304;
	}

}
