package dev.comfygateway.support;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;

/** Nginx in front of a gateway, if nginx is installed. */
public final class Nginx implements AutoCloseable {

	/** Condition of tests that need it. */
	public static final String IS_INSTALLED = "dev.comfygateway.support.Nginx#isInstalled";

	private static final Path PROGRAM = Path.of("/usr/sbin/nginx");

	private final Process process;

	private final int port;

	private Nginx(Process process, int port) {
		this.process = process;
		this.port = port;
	}

	static boolean isInstalled() {
		return Files.isExecutable(PROGRAM);
	}

	/**
	 * Starts nginx.
	 * @param options directives of the server
	 * @param location location block with its directives
	 */
	public static Nginx start(String options, String location) throws IOException {
		Path directory = Files.createTempDirectory("nginx");
		int port;
		try (ServerSocket free = new ServerSocket(0)) {
			port = free.getLocalPort();
		}
		Files.writeString(directory.resolve("nginx.conf"), """
				daemon off;
				pid nginx.pid;
				error_log stderr crit;
				worker_rlimit_nofile 40000;
				events { worker_connections 30000; }
				http {
				  access_log off;
				  client_body_temp_path body;
				  proxy_temp_path proxy;
				  fastcgi_temp_path fastcgi;
				  uwsgi_temp_path uwsgi;
				  scgi_temp_path scgi;
				  proxy_http_version 1.1;
				  %s
				  server {
				    listen 127.0.0.1:%s backlog=4096;
				    %s
				  }
				}
				""".formatted(options, port, location));
		Process process = new ProcessBuilder(PROGRAM.toString(), "-p", directory.toString(), "-c", "nginx.conf")
			.redirectErrorStream(true)
			.redirectOutput(ProcessBuilder.Redirect.DISCARD)
			.start();
		Awaitility.await("nginx").ignoreExceptions().until(() -> RawConnection.get(port, "/").status() > 0);
		return new Nginx(process, port);
	}

	public int port() {
		return port;
	}

	@Override
	public void close() {
		process.destroy();
	}

}
