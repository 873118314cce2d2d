package dev.comfygateway.support;

import dev.comfygateway.support.RawConnection.Response;
import java.io.IOException;

/** HTTP version of a caller. */
public enum Protocol {

	HTTP_1_1 {

		@Override
		public Caller connect(int port) throws IOException {
			RawConnection connection = new RawConnection(port);
			return new Caller() {

				private boolean head;

				@Override
				public Caller send(String request) throws IOException {
					head = request.startsWith("HEAD ");
					connection.send(request);
					return this;
				}

				@Override
				public Response read() throws IOException {
					return head ? connection.readHead() : connection.read();
				}

				@Override
				public void close() throws IOException {
					connection.close();
				}
			};
		}

	},

	HTTP_2 {

		@Override
		public Caller connect(int port) throws IOException {
			Http2Connection connection = new Http2Connection(port);
			return new Caller() {

				private int stream;

				@Override
				public Caller send(String request) throws IOException {
					stream = connection.request(request);
					return this;
				}

				@Override
				public Response read() throws IOException {
					return connection.read(stream);
				}

				@Override
				public void close() throws IOException {
					connection.close();
				}
			};
		}

	};

	public abstract Caller connect(int port) throws IOException;

	/** Sends a request, given in HTTP/1.1 format, on a separate connection. */
	public Response exchange(int port, String request) throws IOException {
		try (Caller caller = connect(port)) {
			return caller.send(request).read();
		}
	}

	/** Sends a GET request. Each header is a complete line. */
	public Response get(int port, String path, String... headers) throws IOException {
		return exchange(port, RawConnection.request("GET", path, headers));
	}

	/** Caller with one connection that sends one request at a time. */
	public interface Caller extends AutoCloseable {

		/** Sends a request, given in HTTP/1.1 format. */
		Caller send(String request) throws IOException;

		/** Reads the response to the last request. */
		Response read() throws IOException;

		@Override
		void close() throws IOException;

	}

}
