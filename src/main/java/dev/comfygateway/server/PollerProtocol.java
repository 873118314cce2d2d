package dev.comfygateway.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.http.FastHttpDateFormat;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SocketBufferHandler;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketProperties;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * Tomcat's HTTP/1.1, where the thread that polls the connections answers the questions
 * that are answered from memory. To hand one to another thread costs more than to answer
 * it: the other must be woken, and what is polled changed twice, with a system call each.
 * An answer that the application allows to be repeated is {@linkplain Repeats given
 * again} to the same request.
 * <p>
 * The poller must never wait for one caller, nor serve one for long: it takes a request
 * only where it has come as a whole and alone, looks for the next one after all others
 * had their turn, and gives up a caller who does not read. Everything else goes to
 * Tomcat's threads.
 * <p>
 * What Tomcat needs to read a request and to write an answer takes many times the memory
 * of a connection, and is held until the answer has been written. So a request whose
 * answer is on its way is not read before that has come: thousands can wait.
 */
public final class PollerProtocol extends Http11NioProtocol {

	/** Bytes; a larger request is read in parts, by a thread of its own. */
	private static final int REQUEST_BUFFER = 1024;

	/** Bytes; a larger answer is written in parts. */
	private static final int ANSWER_BUFFER = 512;

	/**
	 * Number of requests that may be held, before those that are not whole are refused.
	 */
	private static final int MOST_HELD = 500;

	/** Bytes that an answer gathers before they are sent, beside its headers. */
	private static final int BODY_BUFFER = 1024;

	private static final ThreadLocal<@Nullable Repeats> ANSWERING = new ThreadLocal<>();

	private static final ThreadLocal<@Nullable Wait> WAITED = new ThreadLocal<>();

	private final Endpoint endpoint;

	/** As Tomcat makes it, by name; no path is answered by the poller yet. */
	public PollerProtocol() {
		this(new Endpoint());
	}

	private PollerProtocol(Endpoint endpoint) {
		super(endpoint);
		this.endpoint = endpoint;
		// Thousands of callers keep their connections: each holds what a usual request
		// and an answer need, and outside the heap
		SocketProperties sockets = endpoint.getSocketProperties();
		sockets.setAppReadBufSize(REQUEST_BUFFER);
		sockets.setAppWriteBufSize(ANSWER_BUFFER);
		sockets.setDirectBuffer(true);
		// No body is read, so what can follow one needs no room
		setMaxTrailerSize(0);
	}

	/**
	 * Lets the poller answer GET and HEAD of a path. Nothing there may wait: the others
	 * wait with it.
	 */
	public void answerAtOnce(String path) {
		endpoint.starts = List.of(start("GET", path), start("HEAD", path));
	}

	/**
	 * Lets a caller wait for an answer without a request that is read, where the answer
	 * is the same to all who ask nothing of the cache. The application finds the wait by
	 * {@link #takeWait()}.
	 * @param waits makes a caller's wait; null where there is an answer, or none on its
	 * way
	 */
	public void keepWaiting(Supplier<@Nullable Wait> waits) {
		endpoint.waits = waits;
	}

	/**
	 * The wait that the request now read has behind it; null where it has none, or where
	 * this was asked before.
	 */
	public static @Nullable Wait takeWait() {
		Wait wait = WAITED.get();
		if (wait != null) {
			// Another request can follow on the same thread
			WAITED.remove();
		}
		return wait;
	}

	@Override
	public int getDesiredBufferSize() {
		return BODY_BUFFER;
	}

	/**
	 * Allows the answer that is being given to be given again to every request of the
	 * same bytes, in the same second. To be called while it is written; without effect
	 * where no poller answers.
	 * @param holds whether it still is the answer, asked for each request and only then;
	 * where it is, that request counts as answered
	 */
	public static void repeatWhile(BooleanSupplier holds) {
		Repeats answering = ANSWERING.get();
		if (answering != null) {
			answering.allow(holds);
		}
	}

	private static byte[] start(String method, String path) {
		return "%s %s HTTP/1.1\r\n".formatted(method, path).getBytes(StandardCharsets.US_ASCII);
	}

	private static final class Endpoint extends NioEndpoint {

		private static final byte[] END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

		private final Repeats repeats = new Repeats(REQUEST_BUFFER, 2 * ANSWER_BUFFER,
				FastHttpDateFormat::getCurrentDate);

		/** By its name, as Tomcat does not tell. */
		private volatile @Nullable Thread poller;

		private volatile List<byte[]> starts = List.of();

		private volatile Supplier<@Nullable Wait> waits = () -> null;

		/** Who waits has asked before the pause. */
		@Override
		public boolean isPaused() {
			return super.isPaused() && WAITED.get() == null;
		}

		@Override
		protected NioChannel createChannel(SocketBufferHandler buffer) {
			return isSSLEnabled() ? super.createChannel(buffer) : new Channel(buffer);
		}

		@Override
		public boolean processSocket(SocketWrapperBase<NioChannel> socket, SocketEvent event, boolean dispatch) {
			// Whoever completes an answer comes here too, perhaps before its processor is
			// bound again; one is bound to a request that has begun
			if (dispatch && event == SocketEvent.OPEN_READ && isPolling()
					&& socket.getSocket() instanceof Channel channel && socket.getCurrentProcessor() == null
					&& hasRead(socket)) {
				ByteBuffer request = socket.getSocketBufferHandler().getReadBuffer();
				ByteBuffer answer = mayRepeat() ? repeats.find(request) : null;
				if (answer != null) {
					return repeat(socket, channel, request, answer);
				}
				if (canBeAnsweredAtOnce(request)) {
					Wait wait = waits.get();
					return wait == null || asksOfCache(request) ? answer(socket, channel, request) : keep(socket, wait);
				}
				if (endOfFirst(request) < 0 && isFull()) {
					return false;
				}
			}
			return super.processSocket(socket, event, dispatch);
		}

		private boolean isPolling() {
			Thread thread = Thread.currentThread();
			if (thread != poller && thread.getName().endsWith("-Poller")) {
				poller = thread;
			}
			return thread == poller && ANSWERING.get() == null;
		}

		private boolean answer(SocketWrapperBase<NioChannel> socket, Channel channel, ByteBuffer request) {
			repeats.begin(request);
			channel.answering = repeats;
			ANSWERING.set(repeats);
			try {
				return super.processSocket(socket, SocketEvent.OPEN_READ, false);
			}
			finally {
				ANSWERING.remove();
				channel.answering = null;
				if (mayRepeat() && !socket.isClosed()) {
					repeats.end();
				}
			}
		}

		private static boolean repeat(SocketWrapperBase<NioChannel> socket, Channel channel, ByteBuffer request,
				ByteBuffer answer) {
			try {
				channel.write(answer);
			}
			catch (IOException ex) {
				return false;
			}
			if (answer.hasRemaining()) {
				return false;
			}
			request.position(request.limit());
			socket.registerReadInterest();
			return true;
		}

		/**
		 * Nothing is read from the connection, nor is it polled, until the answer is
		 * there.
		 */
		private boolean keep(SocketWrapperBase<NioChannel> socket, Wait wait) {
			wait.begin();
			wait.answer().whenComplete((answer, bug) -> {
				Executor threads = getExecutor();
				if (threads == null) {
					// The server has been stopped, and closes the connection
					resume(socket, wait);
				}
				else {
					threads.execute(() -> resume(socket, wait));
				}
			});
			return true;
		}

		private void resume(SocketWrapperBase<NioChannel> socket, Wait wait) {
			WAITED.set(wait);
			try {
				super.processSocket(socket, SocketEvent.OPEN_READ, false);
			}
			finally {
				WAITED.remove();
				wait.end();
			}
		}

		/** A connection that is to be closed soon has to be told so. */
		private boolean mayRepeat() {
			return !isPaused() && getMaxKeepAliveRequests() < 0;
		}

		private boolean canBeAnsweredAtOnce(ByteBuffer request) {
			for (byte[] start : starts) {
				if (isAt(request, request.position(), start)) {
					return endOfFirst(request) == request.limit();
				}
			}
			return false;
		}

		/** Whether it may have its answer from elsewhere than the others, or not wait. */
		private static boolean asksOfCache(ByteBuffer request) {
			String head = StandardCharsets.ISO_8859_1.decode(request.duplicate()).toString().toLowerCase(Locale.ROOT);
			return head.contains("\ncache-control") || head.contains("\npragma");
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

		/** Asked of rare requests only, since all connections are looked at. */
		private boolean isFull() {
			int held = 0;
			for (SocketWrapperBase<NioChannel> connection : connections.values()) {
				if (connection.getCurrentProcessor() != null && ++held == MOST_HELD) {
					return true;
				}
			}
			return false;
		}

		/** Where the next request begins; negative while this one is not whole. */
		private static int endOfFirst(ByteBuffer request) {
			for (int i = request.position(); i < request.limit(); i++) {
				if (request.get(i) == END[0] && isAt(request, i, END)) {
					return i + END.length;
				}
			}
			return -1;
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

		private volatile @Nullable Repeats answering;

		Channel(SocketBufferHandler buffer) {
			super(buffer);
		}

		/** Left to the garbage collector: Tomcat's way makes the JDK print a warning. */
		@Override
		public void free() {
		}

		@Override
		public int read(ByteBuffer buffer) throws IOException {
			return given() != null ? 0 : super.read(buffer);
		}

		@Override
		public int write(ByteBuffer buffer) throws IOException {
			Repeats given = given();
			if (given == null) {
				return super.write(buffer);
			}
			ByteBuffer bytes = buffer.duplicate();
			int written = super.write(buffer);
			// An answer fits unless those before have not been read
			if (written == 0 && buffer.hasRemaining()) {
				throw new IOException("The caller does not read");
			}
			given.add(bytes.limit(buffer.position()));
			return written;
		}

		/**
		 * What is being answered, by the poller itself: where a caller waits, another
		 * thread can go on before the poller has left.
		 */
		private @Nullable Repeats given() {
			Repeats given = answering;
			return given == ANSWERING.get() ? given : null;
		}

	}

}
