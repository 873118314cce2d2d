import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Jetty without the gateway, with the gateway's threads and buffers. All responses are
 * identical.
 */
final class BareJetty {

	private static final HttpField[] FIELDS = { new PreEncodedHttpField(HttpHeader.CACHE_CONTROL, "max-age=2"),
			new PreEncodedHttpField("Cache-Status", "comfy-gateway; hit; ttl=1"),
			new PreEncodedHttpField(HttpHeader.AGE, "1"),
			new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, "application/json"),
			new PreEncodedHttpField(HttpHeader.ETAG, "\"5fa4e2a54d1f9a1ac0ffbf5b9aad0cb5\"") };

	private static final byte[] BODY = "{\"exec_info\":{\"queue_remaining\":3}}".getBytes(StandardCharsets.UTF_8);

	public static void main(String[] arguments) throws Exception {
		HttpConfiguration http = new HttpConfiguration();
		http.setHeaderCacheSize(0);
		http.setOutputBufferSize(8 * 1024);
		http.setSendServerVersion(false);
		Server server = new Server(new QueuedThreadPool(16, 4));
		ServerConnector connector = new ServerConnector(server, 1, Runtime.getRuntime().availableProcessors(),
				new HttpConnectionFactory(http), new HTTP2CServerConnectionFactory(http));
		connector.setHost("127.0.0.1");
		connector.setPort(Integer.parseInt(arguments[0]));
		server.addConnector(connector);
		ByteBuffer body = ByteBuffer.allocateDirect(BODY.length).put(BODY).flip();
		server.setHandler(new Handler.Abstract.NonBlocking() {
			@Override
			public boolean handle(Request request, Response response, Callback callback) {
				for (HttpField field : FIELDS) {
					response.getHeaders().put(field);
				}
				response.write(true, body.slice(), callback);
				return true;
			}
		});
		server.start();
		server.join();
	}

}
