package livekpi.flink;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.core.execution.DefaultExecutorServiceLoader;
import org.apache.flink.core.execution.PipelineExecutor;
import org.apache.flink.core.execution.PipelineExecutorFactory;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;

/**
 * The target {@code livekpi}: names each operator that keeps state by what its state means, and hands the job to the cluster.
 *
 * <p>Flink's SQL numbers its operators in the order it comes to them, so that a statement more gives each another's number. By their
 * names a savepoint's states find the same operators again, whatever came or went beside them. The name of a table's state stands in
 * its statement, in a call of {@link Functions.Named}; a source's and its ids' are settings.
 */
public final class Executor implements PipelineExecutorFactory {
    private static final String NAME = "livekpi", SOURCE = NAME + ".source.", IDS = NAME + ".ids.", DEFAULT_TARGET = "remote";
    private static final String FURTHER = NAME + "." + DeploymentOptions.TARGET.key();
    private static final Pattern NAMED = Pattern.compile("\\blivekpi_named\\('([^']+)'");

    @Override
    public String getName() {
        return NAME;
    }

    @Override
    public boolean isCompatibleWith(Configuration configuration) {
        return NAME.equals(configuration.get(DeploymentOptions.TARGET));
    }

    @Override
    public PipelineExecutor getExecutor(Configuration configuration) {
        return (pipeline, given, loader) -> {
            name((StreamGraph) pipeline, given.toMap());
            Configuration further = new Configuration(given);
            String target = given.toMap().getOrDefault(FURTHER, GlobalConfiguration.loadConfiguration().get(DeploymentOptions.TARGET));
            further.set(DeploymentOptions.TARGET, target == null || target.equals(NAME) ? DEFAULT_TARGET : target);
            return new DefaultExecutorServiceLoader().getExecutorFactory(further).getExecutor(further).execute(pipeline, further, loader);
        };
    }

    /** Gives each operator with state its name. Throws IllegalStateException where one has none, or another's. */
    static void name(StreamGraph graph, Map<String, String> settings) {
        Map<String, String> taken = new HashMap<>();
        for (StreamNode node : graph.getStreamNodes()) {
            String name = name(graph, node, settings);
            if (name != null) {
                String other = taken.put(name, node.getOperatorDescription());
                if (other != null) {
                    throw new IllegalStateException("the state " + name + " is claimed twice: " + other + ", " + node.getOperatorDescription());
                }
                graph.setTransformationUID(node.getId(), name);
            }
        }
    }

    /** Null for an operator that keeps nothing. */
    private static String name(StreamGraph graph, StreamNode node, Map<String, String> settings) {
        if (node.getInEdges().isEmpty()) {
            return "records " + setting(graph, node, settings, SOURCE);
        }
        if (node.getOutEdges().isEmpty() || node.getOperatorName().endsWith(": Writer")) {
            return node.getOperatorName() + " " + one(written(graph, node), node);
        }
        if (node.getStateKeySerializer() == null) {
            return null;
        }
        Set<String> read = read(graph, node);
        return read.isEmpty() ? "ids " + setting(graph, node, settings, IDS) : "table " + one(read, node);
    }

    /** What the operators behind one say that they read, up to the next that keep state. */
    private static Set<String> read(StreamGraph graph, StreamNode node) {
        Set<String> found = new HashSet<>();
        Deque<StreamNode> behind = new ArrayDeque<>();
        behind.add(node);
        while (!behind.isEmpty()) {
            for (StreamEdge edge : behind.remove().getOutEdges()) {
                StreamNode next = graph.getTargetVertex(edge);
                if (next.getStateKeySerializer() == null) {
                    collect(next, found);
                    behind.add(next);
                }
            }
        }
        return found;
    }

    /** What the operators before one say that they read, up to those that keep state. */
    private static Set<String> written(StreamGraph graph, StreamNode node) {
        Set<String> found = new HashSet<>();
        for (StreamNode at = node; found.isEmpty() && at.getStateKeySerializer() == null && !at.getInEdges().isEmpty(); ) {
            at = graph.getSourceVertex(at.getInEdges().get(0));
            collect(at, found);
        }
        return found;
    }

    private static void collect(StreamNode node, Set<String> into) {
        Matcher said = NAMED.matcher(String.valueOf(node.getOperatorDescription()));
        while (said.find()) {
            into.add(said.group(1));
        }
    }

    private static String one(Set<String> names, StreamNode node) {
        if (names.size() != 1) {
            throw new IllegalStateException("an operator's state must have one name, and has " + names + ": " + node.getOperatorDescription());
        }
        return names.iterator().next();
    }

    /** What is set for the source that a node's rows come from. */
    private static String setting(StreamGraph graph, StreamNode node, Map<String, String> settings, String prefix) {
        StreamNode source = node;
        while (!source.getInEdges().isEmpty()) {
            source = graph.getSourceVertex(source.getInEdges().get(0));
        }
        for (Map.Entry<String, String> each : settings.entrySet()) {
            if (each.getKey().startsWith(prefix) && source.getOperatorName().endsWith("." + each.getKey().substring(prefix.length()))) {
                return each.getValue();
            }
        }
        throw new IllegalStateException("nothing is set under " + prefix + " for the state of " + node.getOperatorDescription());
    }
}
