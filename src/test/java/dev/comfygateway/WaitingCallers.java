package dev.comfygateway;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.ServletException;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;

/** Witness of callers whose request has been taken in and who wait for an answer. */
class WaitingCallers extends ValveBase {

	private final Semaphore waiting = new Semaphore(0);

	WaitingCallers() {
		super(true);
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		getNext().invoke(request, response);
		if (request.isAsync()) {
			waiting.release();
		}
	}

	/** Waits until so many more callers wait. */
	void await(int count) throws InterruptedException {
		assertThat(waiting.tryAcquire(count, 20, TimeUnit.SECONDS)).as("%d callers wait", count).isTrue();
	}

}
