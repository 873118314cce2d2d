package dev.comfygateway;

import jakarta.servlet.ServletException;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Witness of callers whose request has been taken in and who wait for an answer; each one
 * witnessed is to be awaited.
 */
class WaitingCallers extends ValveBase {

	/** Header of those it looks out for. */
	static final String WITNESSED = "X-Witnessed: 1";

	private final Semaphore waiting = new Semaphore(0);

	WaitingCallers() {
		super(true);
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		getNext().invoke(request, response);
		if (request.isAsync() && request.getHeader("X-Witnessed") != null) {
			waiting.release();
		}
	}

	/** Waits until so many more callers wait. */
	void await(int count) throws InterruptedException {
		assertThat(waiting.tryAcquire(count, 20, TimeUnit.SECONDS)).as("%d callers wait", count).isTrue();
	}

}
