package dev.comfygateway.support;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

import static org.hamcrest.Matchers.equalTo;

/** Callers who wait for a fetch, as the gateway's own gauge tells them. */
public class WaitingCallers {

	private final MeterRegistry meters;

	WaitingCallers(MeterRegistry meters) {
		this.meters = meters;
	}

	/** Waits until so many callers wait. */
	public void await(long count) {
		Awaitility.await()
			.atMost(20, TimeUnit.SECONDS)
			.until(() -> (long) meters.get("comfy.gateway.callers.waiting").gauge().value(), equalTo(count));
	}

}
