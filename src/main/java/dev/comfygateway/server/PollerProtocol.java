package dev.comfygateway.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Tomcat's HTTP/1.1, where the thread that polls the connections answers the questions
 * that are answered from memory. To hand one to another thread costs more than to answer
 * it: the other must be woken, and what is polled changed twice, with a system call each.
 * <p>
 * The poller must never wait for one caller, nor serve one for long: it takes a request
 * only where it has come as a whole and alone, looks for the next one after all others
 * had their turn, and gives up a caller who does not read. Everything else goes to
 * Tomcat's threads.
 */
public class PollerProtocol extends Http11NioProtocol {

	private final Endpoint endpoint;

	/** As Tomcat makes it, by name; no path is answered by the poller yet. */
	public PollerProtocol() {
		this(new Endpoint());
	}

	private PollerProtocol(Endpoint endpoint) {
		super(endpoint);
		this.endpoint = endpoint;
	}

	/**
	 * Lets the poller answer GET and HEAD of a path. Nothing there may wait: the others
	 * wait with it.
	 */
	public void answerAtOnce(String path) {
		endpoint.starts = List.of(start("GET", path), start("HEAD", path));
	}

	private static byte[] start(String method, String path) {
		return "%s %s HTTP/1.1\r\n".formatted(method, path).getBytes(StandardCharsets.US_ASCII);
	}

	private static final class Endpoint extends NioEndpoint {

		private static final byte[] END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

		private volatile List<byte[]> starts = List.of();

		@Override
		protected NioChannel createChannel(SocketBufferHandler buffer) {
			return isSSLEnabled() ? super.createChannel(buffer) : new Channel(buffer);
		}

		@Override
		public boolean processSocket(SocketWrapperBase<NioChannel> socket, SocketEvent event, boolean dispatch) {
			if (dispatch && event == SocketEvent.OPEN_READ && socket.getSocket() instanceof Channel channel
					&& canBeAnsweredAtOnce(socket)) {
				channel.polled = true;
				try {
					return super.processSocket(socket, event, false);
				}
				finally {
					channel.polled = false;
				}
			}
			return super.processSocket(socket, event, dispatch);
		}

		private boolean canBeAnsweredAtOnce(SocketWrapperBase<NioChannel> socket) {
			// A processor is bound to a request that has begun
			if (socket.getCurrentProcessor() != null || !hasRead(socket)) {
				return false;
			}
			ByteBuffer request = socket.getSocketBufferHandler().getReadBuffer();
			for (byte[] start : starts) {
				if (isAt(request, request.position(), start)) {
					return endsOnce(request);
				}
			}
			return false;
		}

		/** Reads what has come; Tomcat's own reading finds it there. */
		private static boolean hasRead(SocketWrapperBase<NioChannel> socket) {
			try {
				boolean ready = socket.isReadyForRead();
				socket.getSocketBufferHandler().configureReadBufferForRead();
				if (ready && socket instanceof NioSocketWrapper wrapper) {
					wrapper.updateLastRead();
				}
				return ready;
			}
			catch (IOException ex) {
				// Tomcat's own reading meets it again
				return false;
			}
		}

		/** Whether the only end of a request is that of the buffer. */
		private static boolean endsOnce(ByteBuffer request) {
			int end = request.limit() - END.length;
			for (int i = request.position(); i <= end; i++) {
				if (request.get(i) == END[0] && isAt(request, i, END)) {
					return i == end;
				}
			}
			return false;
		}

		private static boolean isAt(ByteBuffer buffer, int index, byte[] bytes) {
			if (buffer.limit() - index < bytes.length) {
				return false;
			}
			for (int i = 0; i < bytes.length; i++) {
				if (buffer.get(index + i) != bytes[i]) {
					return false;
				}
			}
			return true;
		}

	}

	/** Connection that nobody waits for while the poller is answering. */
	private static final class Channel extends NioChannel {

		private volatile boolean polled;

		Channel(SocketBufferHandler buffer) {
			super(buffer);
		}

		@Override
		public int read(ByteBuffer buffer) throws IOException {
			return polled ? 0 : super.read(buffer);
		}

		@Override
		public int write(ByteBuffer buffer) throws IOException {
			int written = super.write(buffer);
			// An answer fits unless those before have not been read
			if (polled && written == 0 && buffer.hasRemaining()) {
				throw new IOException("The caller does not read");
			}
			return written;
		}

	}

}
