#include "tests/lib/school_model.h"

#include <assert.h>
#include <string.h>

/* One class being laid out: what it still has to get, and what it has on each weekday. */
struct layout {
    struct school *school;
    struct school_class *class;
    unsigned first_page;
    unsigned pages;
    unsigned left[SUBJECT_COUNT];
    unsigned on_day[CALENDAR_WEEK_DAYS_MAX][SUBJECT_COUNT];
};

/* Best is what has most hours left, not the same twice a day, by a teacher who is free. */
static int score(struct layout *l, unsigned page, unsigned weekday, unsigned slot)
{
    const struct school_page *p = &l->school->pages[l->first_page + page];
    bool busy = l->school->teachers[p->teacher].busy[weekday] & 1U << slot;
    return (int)l->left[page] * 16 - (int)l->on_day[weekday][page] * 200 - (busy ? 5000 : 0) +
        (int)draw_below(&l->school->people, 24);
}

static void fill_slot(struct layout *l, unsigned weekday, unsigned slot)
{
    int best = NOBODY;
    int best_score = 0;
    for (unsigned page = 0; page < l->pages; page++) {
        if (l->left[page] == 0) {
            continue;
        }
        int page_score = score(l, page, weekday, slot);
        if (best == NOBODY || page_score > best_score) {
            best = (int)page;
            best_score = page_score;
        }
    }
    if (best == NOBODY) {
        return;
    }
    unsigned chosen = l->first_page + (unsigned)best;
    l->left[best]--;
    l->on_day[weekday][best]++;
    l->class->timetable[weekday][slot] = (unsigned short)(chosen + 1);
    l->school->teachers[l->school->pages[chosen].teacher].busy[weekday] |= 1U << slot;
}

static void lay_out(struct school *school, unsigned number)
{
    struct layout l = {.school = school, .class = &school->classes[number]};
    while (school->pages[l.first_page].class_number != number) {
        l.first_page++;
    }
    for (unsigned p = l.first_page; p < school->page_count; p++) {
        if (school->pages[p].class_number == number && school->pages[p].pupil == NOBODY) {
            assert(l.pages < SUBJECT_COUNT);
            l.left[l.pages++] = school->pages[p].hours;
        }
    }
    memset(l.class->timetable, 0, sizeof(l.class->timetable));
    for (unsigned slot = 0; slot < CALENDAR_SLOTS; slot++) {
        for (unsigned weekday = 0; weekday < school->options.week_days; weekday++) {
            fill_slot(&l, weekday, slot);
        }
    }
}

void school_form_timetable(struct school *school)
{
    for (int i = 0; i < school->teacher_count; i++) {
        memset(school->teachers[i].busy, 0, sizeof(school->teachers[i].busy));
    }
    for (unsigned number = 0; number < school->class_count; number++) {
        lay_out(school, number);
    }
}
