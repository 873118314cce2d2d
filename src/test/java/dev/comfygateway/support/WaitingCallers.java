package dev.comfygateway.support;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

import static org.hamcrest.Matchers.equalTo;

/** Number of waiting callers, read from the gateway's gauge. */
public class WaitingCallers {

	private final MeterRegistry meters;

	WaitingCallers(MeterRegistry meters) {
		this.meters = meters;
	}

	/** Waits for this number of waiting callers. */
	public void await(long count) {
		Awaitility.await()
			.atMost(20, TimeUnit.SECONDS)
			.until(() -> (long) meters.get("comfy.gateway.callers.waiting").gauge().value(), equalTo(count));
	}

}
