package cunet.desktop;

import cunet.core.CUNetException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A command line of {@code --name=value}, {@code --name} and names of files. */
final class Options {
    final List<String> rest = new ArrayList<>();
    private final Map<String, String> values = new HashMap<>();

    /** @throws CUNetException an option that is not among {@code known} */
    Options(String[] arguments, Set<String> known) {
        for (String argument : arguments) {
            if (!argument.startsWith("--")) {
                rest.add(argument);
                continue;
            }
            String[] parts = argument.substring(2).split("=", 2);
            if (!known.contains(parts[0])) {
                throw new CUNetException("--" + parts[0] + ": no such option; there are --"
                        + String.join(", --", known) + ".");
            }
            values.put(parts[0], parts.length > 1 ? parts[1] : "true");
        }
    }

    /** The value, or {@code null}. */
    String get(String name) {
        return values.get(name);
    }

    /** @throws CUNetException the option was not given */
    String required(String name, String what) {
        if (!values.containsKey(name)) {
            throw new CUNetException("give --" + name + ": " + what + ".");
        }
        return values.get(name);
    }

    boolean flag(String name) {
        return Boolean.parseBoolean(values.get(name));
    }
}
