package dev.comfygateway.page;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.error.ErrorDescription;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.util.List;
import java.util.Objects;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springframework.http.HttpHeaders;
import org.springframework.web.method.HandlerMethod;

/**
 * Description of {@code /api/prompt/history} beyond what springdoc reads from the
 * controller. Without the page there is none.
 */
class HistoryOperation implements OperationCustomizer, OpenApiCustomizer {

	private static final String TAG = "workflow";

	/** The controller's method. */
	private static final String OPERATION_ID = "getPromptHistory";

	private static final String JSON = "application/json";

	private static final String POINT = HistoryPoint.class.getSimpleName();

	private static final String HISTORY = PromptHistory.class.getSimpleName();

	private final GatewayProperties properties;

	HistoryOperation(GatewayProperties properties) {
		this.properties = properties;
	}

	@Override
	public Operation customize(Operation operation, HandlerMethod handler) {
		if (!OPERATION_ID.equals(operation.getOperationId())) {
			return operation;
		}
		ApiResponses responses = new ApiResponses().addApiResponse("200",
				new ApiResponse().description("Success")
					.addHeaderObject(HttpHeaders.CACHE_CONTROL,
							header("How long the answer may be used without asking again").example("max-age=15"))
					.content(new Content().addMediaType(JSON, ofType(HISTORY))));
		responses.putAll(ErrorDescription.ofServer(properties.name()));
		return operation.tags(List.of(TAG))
			.summary("Get the queue's course over the last hour")
			.description("Returns what this replica has seen in each 15 s of the last hour, oldest first. It causes"
					+ " no request to the upstream.")
			.responses(responses);
	}

	@Override
	public void customise(OpenAPI document) {
		if (!properties.page().enabled()) {
			document.getPaths().remove(PageController.HISTORY);
			document.getComponents().getSchemas().keySet().removeAll(List.of(HISTORY, POINT));
			return;
		}
		var schemas = ModelConverters.getInstance().readAll(PromptHistory.class);
		Schema<?> history = Objects.requireNonNull(schemas.get(HISTORY));
		history.required(List.of("interval_seconds", "points"));
		describe(history, "interval_seconds", "Length of a slot");
		describe(history, "points", "Every slot, oldest first; the last one is not over yet");
		Schema<?> point = Objects.requireNonNull(schemas.get(POINT));
		point.required(List.of("at", "queue_remaining", "state"));
		describe(point, "at", "Begin of the slot");
		describe(point, "queue_remaining", "Last number of the slot; null where there is none").nullable(true);
		describe(point, "state",
				"`known`: the upstream answered; `failed`: it never answered, or was left alone after a failure; `unasked`: nobody asked");
		document.getComponents().addSchemas(HISTORY, history).addSchemas(POINT, point);
	}

	private static Schema<?> describe(Schema<?> schema, String name, String description) {
		Schema<?> property = Objects.requireNonNull(schema.getProperties().get(name));
		return property.description(description);
	}

	private static Header header(String description) {
		return new Header().description(description).schema(new StringSchema()).required(true);
	}

	private static MediaType ofType(String schema) {
		return new MediaType().schema(new Schema<>().$ref(schema));
	}

}
