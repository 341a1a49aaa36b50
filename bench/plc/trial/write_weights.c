/*
 * Writes the weights of deep PLC as the file that OPUS_SET_DNN_BLOB reads: libopus' dnn/write_lpcnet_weights.c
 * without the weights of DRED, which deep PLC does not use.
 *
 *   write_weights FILE
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nnet.h"

#include "fargan_data.c"
#include "pitchdnn_data.c"
#include "plc_data.c"

static void write_all(FILE *out, const void *data, size_t bytes) {
    if (bytes > 0 && fwrite(data, bytes, 1, out) != 1) {
        fprintf(stderr, "Cannot write the weights\n");
        exit(1);
    }
}

static void write_arrays(FILE *out, const WeightArray *array) {
    static const char zeros[WEIGHT_BLOCK_SIZE];
    for (; array->name != NULL; array++) {
        WeightHead head = {.head = "DNNw", .version = WEIGHT_BLOB_VERSION, .type = array->type, .size = array->size};
        head.block_size = (head.size + WEIGHT_BLOCK_SIZE - 1) / WEIGHT_BLOCK_SIZE * WEIGHT_BLOCK_SIZE;
        strncpy(head.name, array->name, sizeof(head.name) - 1);
        write_all(out, &head, sizeof(head));
        write_all(out, array->data, (size_t)head.size);
        write_all(out, zeros, (size_t)(head.block_size - head.size));
    }
}

int main(int argc, char **argv) {
    FILE *out = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (out == NULL) {
        fprintf(stderr, "Cannot open the file of weights\n");
        return 1;
    }
    write_arrays(out, pitchdnn_arrays);
    write_arrays(out, fargan_arrays);
    write_arrays(out, plcmodel_arrays);
    return fclose(out) == 0 ? 0 : 1;
}
