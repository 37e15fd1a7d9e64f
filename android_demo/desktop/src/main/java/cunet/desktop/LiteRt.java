package cunet.desktop;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import cunet.core.CUNetException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Calls into LiteRT's C library, {@code libLiteRt.so} of the ai-edge-litert wheel (2.3.0). */
final class LiteRt {
    private final Linker linker = Linker.nativeLinker();
    private final SymbolLookup symbols;
    private final Map<String, MethodHandle> handles = new HashMap<>();

    /** @throws CUNetException no such library */
    LiteRt(Path library, Arena arena) {
        if (!Files.isRegularFile(library)) {
            throw new CUNetException(library
                    + ": no such library: give --library, libLiteRt.so of ai-edge-litert 2.3.0.");
        }
        symbols = SymbolLookup.libraryLookup(library, arena);
    }

    /**
     * Calls a function that returns a status.
     *
     * @param arguments MemorySegment, Long (size_t) or Integer (int, enum)
     * @throws CUNetException the status is not 0
     */
    void call(String function, Object... arguments) {
        int status;
        try {
            status = (int) handle(function, true, arguments).invokeWithArguments(arguments);
        } catch (Throwable error) {
            throw failed(function, error.toString());
        }
        if (status != 0) {
            throw failed(function, "status " + status);
        }
    }

    /** Calls a function that returns nothing, such as a destructor. */
    void release(String function, MemorySegment object) {
        try {
            handle(function, false, object).invokeWithArguments(object);
        } catch (Throwable error) {
            throw failed(function, error.toString());
        }
    }

    private MethodHandle handle(String function, boolean status, Object... arguments) {
        return handles.computeIfAbsent(function, name -> {
            MemoryLayout[] layouts = new MemoryLayout[arguments.length];
            for (int i = 0; i < layouts.length; i++) {
                layouts[i] = arguments[i] instanceof MemorySegment ? ADDRESS
                        : arguments[i] instanceof Long ? JAVA_LONG : JAVA_INT;
            }
            MemorySegment address = symbols.find(name)
                    .orElseThrow(() -> failed(name, "not in this library, ai-edge-litert 2.3.0 has it"));
            return linker.downcallHandle(address,
                    status ? FunctionDescriptor.of(JAVA_INT, layouts) : FunctionDescriptor.ofVoid(layouts));
        });
    }

    private static CUNetException failed(String function, String why) {
        return new CUNetException("LiteRT: " + function + " failed: " + why + ".");
    }
}
