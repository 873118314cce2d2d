package dev.comfygateway.upstream;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationPredicate;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.stereotype.Component;

/**
 * Predicate that excludes the requests of the {@link WarmUp} from metrics and traces:
 * nothing is observed before the gateway is ready.
 */
@Component
class WarmUpPredicate implements ObservationPredicate, ApplicationListener<ApplicationReadyEvent> {

	private volatile boolean ready;

	@Override
	public void onApplicationEvent(ApplicationReadyEvent event) {
		ready = true;
	}

	@Override
	public boolean test(String name, Observation.Context context) {
		return ready;
	}

}
