import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Health check of the container, which has neither curl nor a shell. It requests
 * {@code /readyz} and exits with 0 if the gateway is ready.
 */
public class Health {

	private static final int TIMEOUT_MILLIS = 3000;

	private static final String READY = "HTTP/1.1 200";

	public static void main(String[] args) {
		String port = System.getenv().getOrDefault("SERVER_PORT", "8080");
		try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(port))) {
			socket.setSoTimeout(TIMEOUT_MILLIS);
			socket.getOutputStream()
				.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
					.getBytes(StandardCharsets.US_ASCII));
			InputStream in = socket.getInputStream();
			String status = new String(in.readNBytes(READY.length()), StandardCharsets.US_ASCII);
			System.exit(status.equals(READY) ? 0 : 1);
		}
		catch (IOException | NumberFormatException e) {
			System.exit(1);
		}
	}

}
