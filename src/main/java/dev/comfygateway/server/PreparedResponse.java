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
 * Response of Spring in a form that Jetty can write without blocking.
 *
 * @param fields header fields without {@code Content-Length}, which Jetty adds if the
 * first write is the last one
 */
public record PreparedResponse(int status, List<HttpField> fields, ByteBuffer body) {

	public static PreparedResponse of(ResponseEntity<byte[]> entity) {
		byte[] body = entity.getBody();
		return of(entity, body == null ? BufferUtil.EMPTY_BUFFER : ByteBuffer.wrap(body));
	}

	/**
	 * Creates a response that is written many times. Its body is a direct buffer, since
	 * each write would copy a heap buffer to a direct one.
	 */
	public static PreparedResponse ofReused(ResponseEntity<byte[]> entity) {
		byte[] body = entity.getBody();
		return of(entity,
				body == null ? BufferUtil.EMPTY_BUFFER : ByteBuffer.allocateDirect(body.length).put(body).flip());
	}

	private static PreparedResponse of(ResponseEntity<byte[]> entity, ByteBuffer body) {
		List<HttpField> fields = entity.getHeaders()
			.headerSet()
			.stream()
			.filter(field -> !HttpHeader.CONTENT_LENGTH.is(field.getKey()))
			.map(field -> encoded(field.getKey(), String.join(", ", field.getValue())))
			.toList();
		return new PreparedResponse(entity.getStatusCode().value(), fields, body);
	}

	private static HttpField encoded(String name, String value) {
		return new PreEncodedHttpField(name, value);
	}

	/** Writes the response. Its fields replace fields of the same names. */
	public void write(Response response, Callback callback) {
		response.setStatus(status);
		for (HttpField field : fields) {
			response.getHeaders().put(field);
		}
		response.write(hasLength(status), body.slice(), callback);
	}

	/**
	 * Returns whether a response with this status gets {@code Content-Length} (RFC 9110
	 * section 8.6). Jetty would add the field to a 204 or 304 whose first write is the
	 * last one, so such a response is written with {@code last} set to false.
	 */
	public static boolean hasLength(int status) {
		return status != HttpStatus.NO_CONTENT_204 && status != HttpStatus.NOT_MODIFIED_304;
	}

}
